package io.grpcstream.samples.dynamic

/** What describes services cannot be used: the message says what is wrong with it, and where. */
class SchemaException(
    message: String,
    cause: Throwable? = null,
) : Exception(message, cause)

/** There is no such service, method or symbol: the message lists what there is, the nearest first. */
class UnknownSymbolException(
    message: String,
) : Exception(message)
