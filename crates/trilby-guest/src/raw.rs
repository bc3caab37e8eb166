//! The imports of the guest ABI as safe functions.
//!
//! Each returns what the host returned: 0, a handle or a length, or a negative error code. See
//! `ABI.md` of `trilby-host` for their meaning; the other modules are easier to use. What goes in
//! is passed on as it is, be it UTF-8 or not.

#![allow(unsafe_code, reason = "the only module that calls the host")]

/// Declares functions whose parameters are all strings or bodies, each a pair for the import. In
/// their place functions that refuse for every other target than Wasm.
macro_rules! imports {
    ($($module:literal {
        $($(#[$doc:meta])* $name:ident = $import:literal ($($arg:ident),*);)*
    })*) => {
        $($(
            $(#[$doc])*
            #[must_use]
            pub fn $name($($arg: impl AsRef<[u8]>),*) -> i32 {
                $(let $arg = $arg.as_ref();)*
                #[cfg(target_arch = "wasm32")]
                {
                    #[link(wasm_import_module = $module)]
                    unsafe extern "C" {
                        #[link_name = $import]
                        fn import($($arg: *const u8, _: usize),*) -> i32;
                    }
                    // SAFETY: the pairs come from live slices, which the host only reads.
                    unsafe { import($($arg.as_ptr(), $arg.len()),*) }
                }
                #[cfg(not(target_arch = "wasm32"))]
                {
                    let _ = ($($arg,)*);
                    crate::Code::Unimplemented.as_result()
                }
            }
        )*)*
    };
}

imports! {
    "dapr_v1" {
        /// Calls any other unary rpc of Dapr, in protobuf: a handle.
        call = "call" (method, options, request);
    }
    "dapr_state_v1" {
        /// Reads a key of a state store: a handle.
        state_get = "get" (store, key, options);
        /// Writes a key of a state store: 0.
        state_set = "set" (store, key, options, value);
        /// Removes a key of a state store: 0.
        state_delete = "delete" (store, key, options);
        /// Reads many keys of a state store: a handle.
        state_get_bulk = "get_bulk" (store, options, records);
        /// Writes many keys of a state store: 0.
        state_set_bulk = "set_bulk" (store, options, records);
        /// Removes many keys of a state store: 0.
        state_delete_bulk = "delete_bulk" (store, options, records);
        /// Changes several keys of a state store, all or none: 0.
        state_transact = "transact" (store, options, records);
        /// Searches a state store: a handle.
        state_query = "query" (store, options, query);
    }
    "dapr_pubsub_v1" {
        /// Publishes an event: 0.
        pubsub_publish = "publish" (pubsub, topic, options, data);
        /// Publishes many events: a handle.
        pubsub_publish_bulk = "publish_bulk" (pubsub, topic, options, records);
    }
    "dapr_binding_v1" {
        /// Invokes an output binding: a handle.
        binding_invoke = "invoke" (binding, operation, options, data);
    }
    "dapr_invoke_v1" {
        /// Calls another app: a handle.
        invoke_call = "call" (app, method, options, body);
        /// Begins a call of another app, the body of which is written later: a handle.
        invoke_open = "open" (app, method, options);
    }
    "dapr_secret_v1" {
        /// Reads a secret: a handle.
        secret_get = "get" (store, key, options);
        /// Reads all granted secrets of a store: a handle.
        secret_get_bulk = "get_bulk" (store, options);
    }
    "dapr_configuration_v1" {
        /// Reads configuration: a handle.
        configuration_get = "get" (store, options, records);
    }
    "dapr_lock_v1" {
        /// Takes a lock: 0.
        lock_try_lock = "try_lock" (store, resource, owner, options);
        /// Gives a lock back: 0.
        lock_unlock = "unlock" (store, resource, owner, options);
    }
    "dapr_jobs_v1" {
        /// Schedules a job: 0.
        jobs_schedule = "schedule" (name, options, data);
        /// Reads a job: a handle.
        jobs_get = "get" (name, options);
        /// Removes a job: 0.
        jobs_delete = "delete" (name, options);
        /// Lists the granted jobs: a handle.
        jobs_list = "list" (options);
    }
    "dapr_crypto_v1" {
        /// Encrypts data: a handle.
        crypto_encrypt = "encrypt" (component, key, options, data);
        /// Decrypts an envelope: a handle.
        crypto_decrypt = "decrypt" (component, key, options, data);
        /// Begins to encrypt data that is written later: a handle.
        crypto_encrypt_open = "encrypt_open" (component, key, options);
        /// Begins to decrypt an envelope that is written later: a handle.
        crypto_decrypt_open = "decrypt_open" (component, key, options);
    }
    "dapr_conversation_v1" {
        /// Talks with a large language model: a handle.
        conversation_converse = "converse" (component, options, request);
    }
    "dapr_actor_v1" {
        /// Calls a method of an actor: a handle.
        actor_invoke = "invoke" (kind, id, method, options, data);
        /// Reads a key of an actor's state: a handle.
        actor_get_state = "get_state" (kind, id, key, options);
        /// Changes an actor's state, all keys or none: 0.
        actor_transact_state = "transact_state" (kind, id, options, records);
        /// Sets a reminder of an actor: 0.
        actor_register_reminder = "register_reminder" (kind, id, name, options, data);
        /// Reads a reminder of an actor: a handle.
        actor_get_reminder = "get_reminder" (kind, id, name, options);
        /// Removes a reminder of an actor: 0.
        actor_unregister_reminder = "unregister_reminder" (kind, id, name, options);
        /// Sets a timer of an actor: 0.
        actor_register_timer = "register_timer" (kind, id, name, options, data);
        /// Removes a timer of an actor: 0.
        actor_unregister_timer = "unregister_timer" (kind, id, name, options);
    }
    "dapr_metadata_v1" {
        /// Reads what the runtime says about itself: a handle.
        metadata_get = "get" (options);
        /// Adds to what the runtime says about itself: 0.
        metadata_set = "set" (key, value, options);
    }
}

/// Declares imports by their own parameters, and what is in their place for other targets.
macro_rules! plain_imports {
    ($($name:ident = $import:literal ($($arg:ident: $ty:ty),*);)*) => {
        #[cfg(target_arch = "wasm32")]
        #[link(wasm_import_module = "dapr_v1")]
        unsafe extern "C" {
            $(#[link_name = $import] fn $name($($arg: $ty),*) -> i32;)*
        }
        $(
            #[cfg(not(target_arch = "wasm32"))]
            unsafe fn $name($(_: $ty),*) -> i32 {
                crate::Code::Unimplemented.as_result()
            }
        )*
    };
}

plain_imports! {
    dapr_header = "header" (
        handle: i32, name: *const u8, name_len: usize, buf: *mut u8, cap: usize
    );
    dapr_headers = "headers" (handle: i32, buf: *mut u8, cap: usize);
    dapr_read = "read" (handle: i32, buf: *mut u8, cap: usize);
    dapr_size = "size" (handle: i32);
    dapr_close = "close" (handle: i32);
    dapr_write = "write" (handle: i32, data: *const u8, len: usize);
    dapr_end = "end" (handle: i32);
    dapr_error = "error" (buf: *mut u8, cap: usize);
}

/// The length of the answer's header `name`, the start of which is written to `buf`.
pub fn header(handle: i32, name: impl AsRef<[u8]>, buf: &mut [u8]) -> i32 {
    let name = name.as_ref();
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

/// Gives the handle back. A call that still runs is broken off.
pub fn close(handle: i32) -> i32 {
    // SAFETY: no memory is passed; the host checks the handle.
    unsafe { dapr_close(handle) }
}

/// Writes to the body of a stream: the number of bytes taken.
#[must_use]
pub fn write(handle: i32, data: impl AsRef<[u8]>) -> i32 {
    let data = data.as_ref();
    // SAFETY: the pair comes from a live slice, which the host only reads.
    unsafe { dapr_write(handle, data.as_ptr(), data.len()) }
}

/// Ends the body of a stream: 0.
#[must_use]
pub fn end(handle: i32) -> i32 {
    // SAFETY: no memory is passed; the host checks the handle.
    unsafe { dapr_end(handle) }
}

/// The length of the text about the last error, the start of which is written to `buf`.
pub fn error(buf: &mut [u8]) -> i32 {
    // SAFETY: the pair comes from a live slice; the host writes at most `buf.len()` bytes.
    unsafe { dapr_error(buf.as_mut_ptr(), buf.len()) }
}
