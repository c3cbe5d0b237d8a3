/** The engine of rank 0, used on another rank: requests go there over the unit's control links, and their events come back. */
package org.maniple.kernel.remote;
