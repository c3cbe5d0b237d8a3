/**
 * Turns a file, flags, variables and the platform into one checked configuration. The only package that reads environment variables
 * and system properties.
 */
@NullMarked
package org.maniple.kernel.config;

import org.jspecify.annotations.NullMarked;
