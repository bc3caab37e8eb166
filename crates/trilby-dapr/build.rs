//! Compiles `proto/` to Rust. `protox` is a protobuf compiler in Rust: no `protoc` is needed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=../../proto");
    let files = ["dapr/proto/runtime/v1/appcallback.proto", "dapr/proto/runtime/v1/dapr.proto"];
    let descriptors = protox::compile(files, ["../../proto"])?;
    tonic_prost_build::configure()
        .generate_default_stubs(true)
        .bytes(".")
        .build_transport(false)
        .compile_fds(descriptors)?;
    Ok(())
}
