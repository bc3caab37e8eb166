//! The imports, over slices where they are used as meant.

/// The imports; pointers as numbers, so that a case may pass any.
pub(crate) mod raw {
    #[link(wasm_import_module = "wasi_experimental_http")]
    unsafe extern "C" {
        pub(crate) fn req(
            url: usize,
            url_len: usize,
            method: usize,
            method_len: usize,
            headers: usize,
            headers_len: usize,
            body: usize,
            body_len: usize,
            status: usize,
            handle: usize,
        ) -> u32;
        pub(crate) fn close(handle: i32) -> u32;
        pub(crate) fn header_get(
            handle: i32,
            name: usize,
            name_len: usize,
            value: usize,
            value_len: usize,
            written: usize,
        ) -> u32;
        pub(crate) fn headers_get_all(handle: i32, buf: usize, len: usize, written: usize) -> u32;
        pub(crate) fn body_read(handle: i32, buf: usize, len: usize, read: usize) -> u32;
    }
}

/// What a request is made of.
pub(crate) struct Call {
    pub(crate) url: String,
    pub(crate) method: String,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// The status and the handle, or the error's code.
    pub(crate) fn send(&self) -> Result<(u16, i32), u32> {
        let (mut status, mut handle) = (0_u16, 0_i32);
        // SAFETY: the pairs come from live values, and both results have their own types.
        let code = unsafe {
            raw::req(
                self.url.as_ptr().expose_provenance(),
                self.url.len(),
                self.method.as_ptr().expose_provenance(),
                self.method.len(),
                self.headers.as_ptr().expose_provenance(),
                self.headers.len(),
                self.body.as_ptr().expose_provenance(),
                self.body.len(),
                (&raw mut status).expose_provenance(),
                (&raw mut handle).expose_provenance(),
            )
        };
        if code == 0 { Ok((status, handle)) } else { Err(code) }
    }
}

/// The bytes of the body that came, or the error's code.
pub(crate) fn body_read(handle: i32, buf: &mut [u8]) -> Result<usize, u32> {
    let mut count = 0_usize;
    let at = buf.as_mut_ptr().expose_provenance();
    // SAFETY: the pair comes from a live slice, and the host writes the count as a word.
    let code =
        unsafe { raw::body_read(handle, at, buf.len(), (&raw mut count).expose_provenance()) };
    if code == 0 { Ok(count) } else { Err(code) }
}

pub(crate) fn header_get(handle: i32, name: &str, buf: &mut [u8]) -> Result<usize, u32> {
    let mut count = 0_usize;
    let at = buf.as_mut_ptr().expose_provenance();
    // SAFETY: the pairs come from live slices, and the host writes the count as a word.
    let code = unsafe {
        let written = (&raw mut count).expose_provenance();
        raw::header_get(
            handle,
            name.as_ptr().expose_provenance(),
            name.len(),
            at,
            buf.len(),
            written,
        )
    };
    if code == 0 { Ok(count) } else { Err(code) }
}

pub(crate) fn headers_get_all(handle: i32, buf: &mut [u8]) -> Result<usize, u32> {
    let mut count = 0_usize;
    let at = buf.as_mut_ptr().expose_provenance();
    // SAFETY: the pair comes from a live slice, and the host writes the count as a word.
    let code = unsafe {
        raw::headers_get_all(handle, at, buf.len(), (&raw mut count).expose_provenance())
    };
    if code == 0 { Ok(count) } else { Err(code) }
}

pub(crate) fn close(handle: i32) -> u32 {
    // SAFETY: a number only.
    unsafe { raw::close(handle) }
}
