// The number types of AssemblyScript, so that one source has one meaning for both compilers.
// Only these five: everything else that AssemblyScript declares would type-check here and then fail at run time.
type i32 = number;
type u32 = number;
type u8 = number;
type f64 = number;
type bool = boolean;
