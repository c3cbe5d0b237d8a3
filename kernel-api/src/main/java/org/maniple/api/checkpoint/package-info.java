/** Where weights come from. */
package org.maniple.api.checkpoint;
