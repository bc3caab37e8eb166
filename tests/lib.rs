//! Tests of the whole: the real binary against real parts. All of it is in `it/`.
