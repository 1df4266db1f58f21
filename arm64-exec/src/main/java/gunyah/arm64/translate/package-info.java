/**
 * The second execution tier: hot guest code as JVM classes. {@link gunyah.arm64.translate.Translator} takes requests for
 * hot code and owns the cache, {@link gunyah.arm64.translate.RegionFlow} finds the control flow of a region,
 * {@link gunyah.arm64.translate.RegionCompiler} writes its class, {@link gunyah.arm64.translate.Region} is what the
 * interpreter runs. A region never leaves its 4 KiB page, knows no address but its place in it, and does exactly what the
 * interpreter would do; instructions without an emitter call the row's semantics.
 */
package gunyah.arm64.translate;
