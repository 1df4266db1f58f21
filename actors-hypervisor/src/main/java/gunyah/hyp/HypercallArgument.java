package gunyah.hyp;

/**
 * One input of a hypercall, in register order.
 *
 * @param kind   how the register is checked and narrowed before the handler sees it
 * @param type   object type, {@link Kind#CAPABILITY} only
 * @param rights rights the capability must carry, all of them
 * @param state  state the object must be in
 */
public record HypercallArgument(Kind kind, ObjectType type, int rights, RequiredState state) {
    /** Register kinds; narrow kinds are zero extended from their low bits, as the C types of the real interface. */
    public enum Kind { VALUE, U16, U32, RES0, RES1, CAPABILITY }

    public static final HypercallArgument VALUE = plain(Kind.VALUE);
    public static final HypercallArgument U16 = plain(Kind.U16);
    public static final HypercallArgument U32 = plain(Kind.U32);
    /** Reserved, all zeroes in a native call. */
    public static final HypercallArgument RES0 = plain(Kind.RES0);
    /** Reserved, all ones in a native call. */
    public static final HypercallArgument RES1 = plain(Kind.RES1);

    private static HypercallArgument plain(Kind kind) {
        return new HypercallArgument(kind, null, 0, RequiredState.ANY);
    }

    /** {@return a capability in the caller's cspace to an object that must be ACTIVE} */
    public static HypercallArgument active(ObjectType type, int rights) {
        return new HypercallArgument(Kind.CAPABILITY, type, rights, RequiredState.ACTIVE);
    }

    /** {@return a capability in the caller's cspace to an object that must be INIT} */
    public static HypercallArgument init(ObjectType type, int rights) {
        return new HypercallArgument(Kind.CAPABILITY, type, rights, RequiredState.INIT);
    }

    /** {@return a capability in the caller's cspace to an object in INIT or ACTIVE} */
    public static HypercallArgument any(ObjectType type, int rights) {
        return new HypercallArgument(Kind.CAPABILITY, type, rights, RequiredState.ANY);
    }
}
