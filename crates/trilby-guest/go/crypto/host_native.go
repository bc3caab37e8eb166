//go:build !wasip1

package crypto

import "trilby.example/guest/internal/abi"

func hostEncrypt(component, key, options, data string) int32 {
	return abi.Call("dapr_crypto_v1", "encrypt", component, key, options, data)
}

func hostDecrypt(component, key, options, data string) int32 {
	return abi.Call("dapr_crypto_v1", "decrypt", component, key, options, data)
}

func hostEncryptOpen(component, key, options string) int32 {
	return abi.Call("dapr_crypto_v1", "encrypt_open", component, key, options)
}

func hostDecryptOpen(component, key, options string) int32 {
	return abi.Call("dapr_crypto_v1", "decrypt_open", component, key, options)
}
