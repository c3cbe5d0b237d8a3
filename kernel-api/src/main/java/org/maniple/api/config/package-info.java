/** Configuration as plugins see it: options that they declare, and the settings that result. */
package org.maniple.api.config;
