/** What groups of ranks do together. */
package org.maniple.api.collective;
