/** Which way data goes between two ranks, and one wire over several ways. */
package org.maniple.kernel.link;
