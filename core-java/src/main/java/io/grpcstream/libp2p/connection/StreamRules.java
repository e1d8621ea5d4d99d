package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.resources.Observers;
import io.grpcstream.libp2p.resources.Refusals;
import io.grpcstream.libp2p.resources.ResourceManager;
import java.time.Duration;

/**
 * What decides about streams on their way, the same for all connections of a host.
 *
 * @param handlers which protocols are served, and by whom
 * @param resources how many streams there may be
 * @param refusals told of those that are turned away
 * @param timeout until a protocol must be agreed
 * @param observers told of those that have one
 */
public record StreamRules(
    ProtocolHandlers handlers,
    ResourceManager resources,
    Refusals refusals,
    Duration timeout,
    Observers observers) {}
