/* Products of rows of weights with rows of activations. */
#include "maniple.h"

/* To be told from the Java side that the variant is there. */
EXPORT int32_t NAME(maniple_present)(void)
{
    return ABI;
}
