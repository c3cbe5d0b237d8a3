/** The rules of the design, checked over the classes of all modules; each is also shown to find what breaks it. */
package org.maniple.architecture;
