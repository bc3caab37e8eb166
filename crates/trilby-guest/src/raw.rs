//! The imports of the guest ABI as safe functions over slices.
//!
//! Each returns what the host returned: 0, a handle or a length, or a negative error code. See
//! `ABI.md` of `trilby-host` for their meaning; the other modules are easier to use.

#![allow(unsafe_code, reason = "the only module that calls the host")]

/// Declares the imports for Wasm, and in their place functions that refuse for every other target.
macro_rules! imports {
    ($($module:literal { $(fn $name:ident = $import:literal ($($arg:ident: $ty:ty),*);)* })*) => {
        $(
            #[cfg(target_arch = "wasm32")]
            #[link(wasm_import_module = $module)]
            unsafe extern "C" {
                $(#[link_name = $import] fn $name($($arg: $ty),*) -> i32;)*
            }
            $(
                #[cfg(not(target_arch = "wasm32"))]
                #[allow(clippy::too_many_arguments, reason = "a string is two arguments")]
                unsafe fn $name($(_: $ty),*) -> i32 {
                    crate::Code::Unimplemented.as_result()
                }
            )*
        )*
    };
}

type In = *const u8;
type Out = *mut u8;

imports! {
    "dapr_v1" {
        fn dapr_header = "header" (handle: i32, name: In, name_len: usize, buf: Out, cap: usize);
        fn dapr_headers = "headers" (handle: i32, buf: Out, cap: usize);
        fn dapr_read = "read" (handle: i32, buf: Out, cap: usize);
        fn dapr_size = "size" (handle: i32);
        fn dapr_close = "close" (handle: i32);
        fn dapr_error = "error" (buf: Out, cap: usize);
    }
    "dapr_state_v1" {
        fn dapr_state_get = "get" (
            store: In, store_len: usize, key: In, key_len: usize, options: In, options_len: usize
        );
        fn dapr_state_set = "set" (
            store: In, store_len: usize, key: In, key_len: usize, options: In, options_len: usize,
            value: In, value_len: usize
        );
        fn dapr_state_delete = "delete" (
            store: In, store_len: usize, key: In, key_len: usize, options: In, options_len: usize
        );
    }
    "dapr_pubsub_v1" {
        fn dapr_pubsub_publish = "publish" (
            pubsub: In, pubsub_len: usize, topic: In, topic_len: usize,
            options: In, options_len: usize, data: In, data_len: usize
        );
    }
    "dapr_binding_v1" {
        fn dapr_binding_invoke = "invoke" (
            binding: In, binding_len: usize, operation: In, operation_len: usize,
            options: In, options_len: usize, data: In, data_len: usize
        );
    }
    "dapr_secret_v1" {
        fn dapr_secret_get = "get" (
            store: In, store_len: usize, key: In, key_len: usize, options: In, options_len: usize
        );
    }
}

/// The length of the answer's header `name`, the start of which is written to `buf`.
pub fn header(handle: i32, name: &str, buf: &mut [u8]) -> i32 {
    // SAFETY: the pairs come from live slices; the host writes at most `buf.len()` bytes.
    unsafe { dapr_header(handle, name.as_ptr(), name.len(), buf.as_mut_ptr(), buf.len()) }
}

/// The length of all the answer's headers, the start of which is written to `buf`.
pub fn headers(handle: i32, buf: &mut [u8]) -> i32 {
    // SAFETY: the pair comes from a live slice; the host writes at most `buf.len()` bytes.
    unsafe { dapr_headers(handle, buf.as_mut_ptr(), buf.len()) }
}

/// The number of bytes of the answer's body written to `buf`; 0 at its end.
pub fn read(handle: i32, buf: &mut [u8]) -> i32 {
    // SAFETY: the pair comes from a live slice; the host writes at most `buf.len()` bytes.
    unsafe { dapr_read(handle, buf.as_mut_ptr(), buf.len()) }
}

/// The length of the answer's whole body.
#[must_use]
pub fn size(handle: i32) -> i32 {
    // SAFETY: no memory is passed; the host checks the handle.
    unsafe { dapr_size(handle) }
}

/// Gives the handle back.
pub fn close(handle: i32) -> i32 {
    // SAFETY: no memory is passed; the host checks the handle.
    unsafe { dapr_close(handle) }
}

/// The length of the text about the last error, the start of which is written to `buf`.
pub fn error(buf: &mut [u8]) -> i32 {
    // SAFETY: the pair comes from a live slice; the host writes at most `buf.len()` bytes.
    unsafe { dapr_error(buf.as_mut_ptr(), buf.len()) }
}

/// Reads a key of a state store: a handle.
#[must_use]
pub fn state_get(store: &str, key: &str, options: &str) -> i32 {
    // SAFETY: the pairs come from live slices, which the host only reads.
    unsafe {
        dapr_state_get(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            options.as_ptr(),
            options.len(),
        )
    }
}

/// Writes a key of a state store: 0.
#[must_use]
pub fn state_set(store: &str, key: &str, options: &str, value: &[u8]) -> i32 {
    // SAFETY: the pairs come from live slices, which the host only reads.
    unsafe {
        dapr_state_set(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            options.as_ptr(),
            options.len(),
            value.as_ptr(),
            value.len(),
        )
    }
}

/// Removes a key of a state store: 0.
#[must_use]
pub fn state_delete(store: &str, key: &str, options: &str) -> i32 {
    // SAFETY: the pairs come from live slices, which the host only reads.
    unsafe {
        dapr_state_delete(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            options.as_ptr(),
            options.len(),
        )
    }
}

/// Publishes an event: 0.
#[must_use]
pub fn pubsub_publish(pubsub: &str, topic: &str, options: &str, data: &[u8]) -> i32 {
    // SAFETY: the pairs come from live slices, which the host only reads.
    unsafe {
        dapr_pubsub_publish(
            pubsub.as_ptr(),
            pubsub.len(),
            topic.as_ptr(),
            topic.len(),
            options.as_ptr(),
            options.len(),
            data.as_ptr(),
            data.len(),
        )
    }
}

/// Invokes an output binding: a handle.
#[must_use]
pub fn binding_invoke(binding: &str, operation: &str, options: &str, data: &[u8]) -> i32 {
    // SAFETY: the pairs come from live slices, which the host only reads.
    unsafe {
        dapr_binding_invoke(
            binding.as_ptr(),
            binding.len(),
            operation.as_ptr(),
            operation.len(),
            options.as_ptr(),
            options.len(),
            data.as_ptr(),
            data.len(),
        )
    }
}

/// Reads a secret: a handle.
#[must_use]
pub fn secret_get(store: &str, key: &str, options: &str) -> i32 {
    // SAFETY: the pairs come from live slices, which the host only reads.
    unsafe {
        dapr_secret_get(
            store.as_ptr(),
            store.len(),
            key.as_ptr(),
            key.len(),
            options.as_ptr(),
            options.len(),
        )
    }
}
