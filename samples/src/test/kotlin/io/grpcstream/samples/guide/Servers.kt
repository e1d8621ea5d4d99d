package io.grpcstream.samples.guide

import io.grpc.BindableService
import io.grpc.Metadata
import io.grpc.Server
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.ServerStreamTracer
import io.grpc.health.v1.HealthCheckResponse.ServingStatus
import io.grpcstream.GrpcPeer
import io.grpcstream.GrpcStream
import io.grpcstream.PeerContext
import io.grpcstream.PeerServerBuilder
import io.grpcstream.kotlin.grpcPeer
import io.grpcstream.kotlin.grpcStream
import io.grpcstream.libp2p.Host

// guide: servers/several
fun peerOfTwoProtocols(
    forAll: BindableService,
    forUs: BindableService,
    tools: GrpcStream,
): GrpcPeer =
    grpcPeer {
        listen("/memory/0")
        serve("/greeter/1.0.0") { service(forAll) }
        serve("/internal/1.0.0") {
            service(forUs)
            limitPerPeer(100) // calls at a time; one more is RESOURCE_EXHAUSTED
        }
        serve("/tools/1.0.0", tools) // one that was built before
    }
// end

// guide: servers/tools
fun inspectable(service: BindableService): GrpcStream =
    grpcStream {
        service(service)
        health()
        reflection()
        channelz()
    }

fun drain(grpc: GrpcStream) {
    grpc.healthStatus().setStatus("greeter.Greeter", ServingStatus.NOT_SERVING)
}
// end

// guide: servers/intercept
class Audit(
    private val seen: (String) -> Unit,
) : ServerInterceptor {
    override fun <Q, R> interceptCall(
        call: ServerCall<Q, R>,
        headers: Metadata,
        next: ServerCallHandler<Q, R>,
    ): ServerCall.Listener<Q> {
        seen("${PeerContext.of(call).peerId()} calls ${call.methodDescriptor.fullMethodName}")
        return next.startCall(call, headers)
    }
}

fun audited(
    service: BindableService,
    seen: (String) -> Unit,
): GrpcStream =
    grpcStream {
        service(service)
        intercept(Audit(seen))
    }
// end

// guide: servers/builder
fun serverOf(
    host: Host,
    service: BindableService,
    tracers: ServerStreamTracer.Factory, // for example, of a metrics library
): Server =
    PeerServerBuilder
        .forProtocol(host, "/greeter/1.0.0")
        .addService(service)
        .addStreamTracerFactory(tracers)
        .health()
        .build()
        .start() // registers the protocol with the host
// end
