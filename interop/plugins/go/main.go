// A plugin of Go's own compiler, without a Proxy-Wasm library: what matters is Go's runtime inside the host.
package main

import (
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// Blocks that the host has written into and nobody has read yet.
var blocks = map[uintptr][]byte{}

//go:wasmimport env proxy_log
func proxyLog(level int32, message unsafe.Pointer, size int32) int32

//go:wasmimport env proxy_get_header_map_value
func proxyGetHeader(kind int32, key unsafe.Pointer, keySize int32, value unsafe.Pointer, size unsafe.Pointer) int32

//go:wasmimport env proxy_add_header_map_value
func proxyAddHeader(kind int32, key unsafe.Pointer, keySize int32, value unsafe.Pointer, size int32) int32

//go:wasmexport proxy_abi_version_0_2_1
func abiVersion() {}

//go:wasmexport proxy_on_memory_allocate
func allocate(size int32) uint32 {
	block := make([]byte, size)
	at := uintptr(unsafe.Pointer(&block[0]))
	blocks[at] = block
	return uint32(at)
}

func take(at uint32, size uint32) string {
	block := blocks[uintptr(at)]
	delete(blocks, uintptr(at))
	return string(block[:size])
}

func text(s string) (unsafe.Pointer, int32) {
	return unsafe.Pointer(unsafe.StringData(s)), int32(len(s))
}

//go:wasmexport proxy_on_configure
func configure(_ int32, _ int32) int32 {
	message, size := text("configured in " + os.Getenv("PLACE"))
	proxyLog(2, message, size)
	return 1
}

//go:wasmexport proxy_on_request_headers
func requestHeaders(_ int32, count int32, _ int32) int32 {
	var at, size uint32
	key, keySize := text(":path")
	proxyGetHeader(0, key, keySize, unsafe.Pointer(&at), unsafe.Pointer(&size))
	path := take(at, size)
	if path == "/panic" {
		panic("as you wish")
	}
	name, nameSize := text("x-go")
	value, valueSize := text(fmt.Sprintf("%d %s", count, strings.ToUpper(path)))
	proxyAddHeader(0, name, nameSize, value, valueSize)
	fmt.Println("seen", path)
	return 0
}

func main() {}
