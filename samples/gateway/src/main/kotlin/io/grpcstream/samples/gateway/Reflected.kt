package io.grpcstream.samples.gateway

import com.google.protobuf.Descriptors.ServiceDescriptor
import io.grpc.Channel

/** What a peer serves, as it tells by reflection. */
internal suspend fun reflected(channel: Channel): Collection<ServiceDescriptor> = throw UnsupportedOperationException("$channel")
