// The pages with Relay: one request for each, complete data, and a store that stays true after mutations.
import './catalog.test.js';
import './course.test.js';
import './dashboards.test.js';
import './player.test.js';
