/** The running unit as a frontend sees it: requests in, tokens and text out. */
package org.maniple.api.engine;
