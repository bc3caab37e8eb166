package crypto

//go:wasmimport dapr_crypto_v1 encrypt
func hostEncrypt(component, key, options, data string) int32

//go:wasmimport dapr_crypto_v1 decrypt
func hostDecrypt(component, key, options, data string) int32

//go:wasmimport dapr_crypto_v1 encrypt_open
func hostEncryptOpen(component, key, options string) int32

//go:wasmimport dapr_crypto_v1 decrypt_open
func hostDecryptOpen(component, key, options string) int32
