package io.grpcstream.kotlin

/**
 * Marks what is built in a block of its own, such as `grpcStream { … }` and `grpcService { … }`. In a
 * block within another one, only the inner one's functions can be called without saying whose they are:
 *
 * ```
 * val grpc =
 *     grpcStream {
 *         service("greeter.Greeter") {
 *             unary(GreeterGrpc.getSayHelloMethod()) { request -> greet(request) }
 *             // health() does not compile here: it is for the GrpcStream
 *         }
 *         health()
 *     }
 * ```
 */
@DslMarker
@Target(AnnotationTarget.CLASS, AnnotationTarget.TYPE)
public annotation class BuilderDsl
