/** Contract tests for the extension points of the kernel API. */
package org.maniple.testkit;
