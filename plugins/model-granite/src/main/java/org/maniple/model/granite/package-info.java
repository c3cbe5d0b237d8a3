/** The Granite family of models, dense and with experts. */
package org.maniple.model.granite;
