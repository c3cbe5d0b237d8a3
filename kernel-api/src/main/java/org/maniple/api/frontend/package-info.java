/** How clients reach a unit. */
package org.maniple.api.frontend;
