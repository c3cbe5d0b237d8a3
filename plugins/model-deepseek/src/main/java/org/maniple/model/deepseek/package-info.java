/** The DeepSeek-V2 and V3 families of models, and Kimi-K2. */
package org.maniple.model.deepseek;
