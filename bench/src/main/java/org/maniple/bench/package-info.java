/** Programs that print figures. */
@NullMarked
package org.maniple.bench;

import org.jspecify.annotations.NullMarked;
