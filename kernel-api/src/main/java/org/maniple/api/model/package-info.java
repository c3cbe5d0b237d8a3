/** What a model architecture is told, and what it answers. */
package org.maniple.api.model;
