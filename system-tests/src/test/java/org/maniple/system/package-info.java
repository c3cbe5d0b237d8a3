/** What a user sees: units of real processes, started with {@code bin/maniple} and asked over HTTP. */
package org.maniple.system;
