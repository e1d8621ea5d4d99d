const greet = (greeting, name) => ({ message: `${greeting}, ${name}!` })

/** The greeter, an ordinary gRPC service. */
export const greeter = {
  sayHello ({ request }, reply) {
    reply(null, greet('Hello', request.name))
  },

  sayHelloStream (call) {
    for (const greeting of ['Hello', 'Bonjour', 'Hej']) {
      call.write(greet(greeting, call.request.name))
    }
    call.end()
  },

  sayHelloMany (call, reply) {
    const names = []
    call.on('data', ({ name }) => names.push(name))
    call.on('end', () => reply(null, greet('Hello', names.join(' and '))))
  },

  chat (call) {
    call.on('data', ({ name }) => call.write(greet('Hello', name)))
    call.on('end', () => call.end())
  }
}
