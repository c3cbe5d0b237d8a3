/** Tests of what is shipped, after it has been packed. */
package org.maniple.distro;
