package main

// The code in greeterpb, interoppb and loadpb is generated, and committed so that a build needs only
// Go. To generate it anew: go generate, with protoc, protoc-gen-go and protoc-gen-go-grpc on the PATH.
//go:generate sh generate.sh greeter
//go:generate sh generate.sh interop
//go:generate sh generate.sh load
