/** Finds plugins: one module layer per folder, and the extensions that its module provides. */
@NullMarked
package org.maniple.kernel.plugin;

import org.jspecify.annotations.NullMarked;
