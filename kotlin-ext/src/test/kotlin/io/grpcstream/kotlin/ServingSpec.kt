package io.grpcstream.kotlin

import io.grpc.Status
import io.grpc.StatusException
import io.grpcstream.GrpcStream
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.shouldBe
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class ServingSpec :
    StringSpec({
        "serveIn serves at once, and its job ends when somebody else shuts down" {
            accepting { grpc, dialer, listener ->
                coroutineScope {
                    val job = grpc.serveIn(this)
                    val channel = dialer.openTo(listener)
                    channel.greet("Ada") shouldBe "Hello, Ada!"
                    job.isActive shouldBe true
                    grpc.shutdownAndAwait(Duration.ZERO)
                    job.join()
                    job.isCancelled shouldBe false
                    channel.shutdownNow()
                }
            }
        }

        "cancelling the scope lets calls in flight finish, and the scope waits for them" {
            val begun = CompletableDeferred<Unit>()
            val goOn = CompletableDeferred<Unit>()
            val service =
                GreetingService {
                    begun.complete(Unit)
                    goOn.await()
                }
            accepting(GrpcStream.create().registerService(service)) { grpc, dialer, listener ->
                val scope = CoroutineScope(Dispatchers.Default + Job())
                val job = grpc.serveIn(scope, 1.minutes)
                val channel = dialer.openTo(listener)
                coroutineScope {
                    val call = async { channel.greet("Ada") }
                    begun.await()
                    scope.coroutineContext[Job]!!.cancel()
                    eventually(10.seconds) { grpc.grpcServer().isShutdown shouldBe true }
                    job.isCompleted shouldBe false
                    goOn.complete(Unit)
                    call.await() shouldBe "Hello, Ada!"
                }
                job.join()
                grpc.terminated().toCompletableFuture().isDone shouldBe true
                channel.shutdownNow()
            }
        }

        "calls that need longer than the grace are cut" {
            val begun = CompletableDeferred<Unit>()
            val service =
                GreetingService {
                    begun.complete(Unit)
                    CompletableDeferred<Unit>().await()
                }
            accepting(GrpcStream.create().registerService(service)) { grpc, dialer, listener ->
                val scope = CoroutineScope(Dispatchers.Default + Job())
                val job = grpc.serveIn(scope, Duration.ZERO)
                val channel = dialer.openTo(listener)
                coroutineScope {
                    val call =
                        async { shouldThrow<StatusException> { channel.greet("Ada") } }
                    begun.await()
                    job.cancelAndJoin()
                    call.await().status.code shouldBe Status.Code.UNAVAILABLE
                }
                scope.coroutineContext[Job]!!.isActive shouldBe true
                channel.shutdownNow()
            }
        }

        "in a scope that is cancelled or complete already, serveIn shuts down" {
            listOf(Job().apply { cancel() }, Job().apply { complete() }).forEach { ended ->
                val scope = CoroutineScope(Dispatchers.Default + ended)
                val grpc = GrpcStream.create()
                grpc.serveIn(scope).join()
                grpc.terminated().toCompletableFuture().isDone shouldBe true
            }
        }

        "serveIn needs no coroutine, and returns while it serves" {
            fun serve(
                grpc: GrpcStream,
                scope: CoroutineScope,
            ): Job = grpc.serveIn(scope)

            accepting { grpc, dialer, listener ->
                val scope = CoroutineScope(Dispatchers.Default)
                val job = serve(grpc, scope)
                val channel = dialer.openTo(listener)
                channel.greet("Ada") shouldBe "Hello, Ada!"
                job.isActive shouldBe true
                channel.shutdownNow()
                scope.cancel()
                job.join()
            }
        }

        "a GrpcStream that was shut down cannot be served" {
            val grpc = GrpcStream.create()
            grpc.shutdownAndAwait(Duration.ZERO)
            coroutineScope { shouldThrow<IllegalStateException> { grpc.serveIn(this) } }
        }

        "awaitTermination returns once the last stream has ended, whoever shut down" {
            accepting { grpc, dialer, listener ->
                grpc.serve()
                val channel = dialer.openTo(listener)
                channel.greet("Ada") shouldBe "Hello, Ada!"
                coroutineScope {
                    val waiting =
                        launch(start = CoroutineStart.UNDISPATCHED) { grpc.awaitTermination() }
                    waiting.isCompleted shouldBe false
                    grpc.grpcServer().shutdownNow()
                    waiting.join()
                }
                channel.shutdownNow()
            }
        }

        "cancelling awaitTermination shuts nothing down" {
            accepting { grpc, dialer, listener ->
                grpc.serve()
                coroutineScope {
                    launch(start = CoroutineStart.UNDISPATCHED) { grpc.awaitTermination() }
                        .cancelAndJoin()
                }
                val channel = dialer.openTo(listener)
                channel.greet("Ada") shouldBe "Hello, Ada!"
                channel.shutdownNow()
            }
        }
    })
