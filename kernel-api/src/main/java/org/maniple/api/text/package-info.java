/** Texts and token ids. */
package org.maniple.api.text;
