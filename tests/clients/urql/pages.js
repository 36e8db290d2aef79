// The pages with urql: one request for each, complete data, and a cache that stays true after mutations.
import './catalog.js';
import './course.js';
import './dashboards.js';
import './player.js';
