package abi

import "unsafe"

// Go passes a string as the pair that the ABI takes: pointer, length.

//go:wasmimport dapr_v1 header
func hostHeader(handle int32, name string, buf unsafe.Pointer, length uint32) int32

//go:wasmimport dapr_v1 headers
func hostHeaders(handle int32, buf unsafe.Pointer, length uint32) int32

//go:wasmimport dapr_v1 read
func hostRead(handle int32, buf unsafe.Pointer, length uint32) int32

//go:wasmimport dapr_v1 size
func hostSize(handle int32) int32

//go:wasmimport dapr_v1 close
func hostClose(handle int32) int32

//go:wasmimport dapr_v1 write
func hostWrite(handle int32, data string) int32

//go:wasmimport dapr_v1 end
func hostEnd(handle int32) int32

//go:wasmimport dapr_v1 error
func hostError(buf unsafe.Pointer, length uint32) int32
