//! Names of the methods that read and write numbers: one list for both extension traits.

/// Calls a macro with each number's type and the names of its methods, big endian and little endian.
macro_rules! each_number {
    (read: $method:ident) => {
        $method!(u8, read_u8, read_u8_le);
        $method!(u16, read_u16, read_u16_le);
        $method!(u32, read_u32, read_u32_le);
        $method!(u64, read_u64, read_u64_le);
        $method!(u128, read_u128, read_u128_le);
        $method!(i8, read_i8, read_i8_le);
        $method!(i16, read_i16, read_i16_le);
        $method!(i32, read_i32, read_i32_le);
        $method!(i64, read_i64, read_i64_le);
        $method!(i128, read_i128, read_i128_le);
        $method!(f32, read_f32, read_f32_le);
        $method!(f64, read_f64, read_f64_le);
    };
    (write: $method:ident) => {
        $method!(u8, write_u8, write_u8_le);
        $method!(u16, write_u16, write_u16_le);
        $method!(u32, write_u32, write_u32_le);
        $method!(u64, write_u64, write_u64_le);
        $method!(u128, write_u128, write_u128_le);
        $method!(i8, write_i8, write_i8_le);
        $method!(i16, write_i16, write_i16_le);
        $method!(i32, write_i32, write_i32_le);
        $method!(i64, write_i64, write_i64_le);
        $method!(i128, write_i128, write_i128_le);
        $method!(f32, write_f32, write_f32_le);
        $method!(f64, write_f64, write_f64_le);
    };
}

pub(super) use each_number;
