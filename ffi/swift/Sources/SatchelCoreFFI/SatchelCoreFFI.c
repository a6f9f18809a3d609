// A C target needs a source file. The functions are in the library; their header is generated.
#include "SatchelCoreFFI.h"
