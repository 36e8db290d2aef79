// The pages with Apollo Client: one request for each, complete data, and caches that stay true after mutations.
import './catalog.js';
import './course.js';
import './dashboards.js';
import './player.js';
