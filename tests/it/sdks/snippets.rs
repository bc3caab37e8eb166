//! The README shows parts of the programs.
