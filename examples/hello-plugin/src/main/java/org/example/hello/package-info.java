/** A small decoder with layer norms and a plain feed-forward network. */
package org.example.hello;
