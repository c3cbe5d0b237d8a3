/** Experts change their places while a unit serves: loads, rounds, and weights that are brought in the background. */
package org.maniple.kernel.balance;
