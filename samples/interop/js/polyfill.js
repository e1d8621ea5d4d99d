// js-libp2p counts on Node 22; all that Node 20 lacks of what it uses is this.
Promise.withResolvers ??= function () {
  const result = {}
  result.promise = new this((resolve, reject) => Object.assign(result, { resolve, reject }))
  return result
}
