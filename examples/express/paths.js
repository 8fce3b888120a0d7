/**
 * Links that work at any mount point. The page may live at /, at /app/ because the web server says so, or
 * below a router of a larger application; relative references need to know none of that.
 */

/**
 * The way from the requested address back to the page: './' for /, '../' for /errors/sync.
 * Call it where `req.path` counts from the application's own root, i.e. outside of routers.
 * @param {import('express').Request} req
 */
export function rootOf(req) {
  return '../'.repeat(req.path.split('/').length - 2) || './';
}
