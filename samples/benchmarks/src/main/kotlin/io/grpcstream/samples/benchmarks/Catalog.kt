package io.grpcstream.samples.benchmarks

/** All there is to measure; [go] is null where there is no Go. */
internal fun measures(go: Go?): List<Measure> =
    listOf(
        unaryMeasures(go),
        managedMeasures(),
        doorMeasures(),
        coroutineMeasures(),
        streamingMeasures(go),
        rawMeasures(go),
        delayMeasures(),
        listOf(connectionsMeasure(go), startMeasure()),
        footprintMeasures(),
    ).flatten()
