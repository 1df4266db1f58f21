package gunyah.vmm.net;

/** What a network card is plugged into. Thread safe. */
public interface Network extends AutoCloseable {
    /** The card's side. Thread safe; never blocks. */
    interface Card {
        /** Hands a frame to the guest. {@return false when too many wait; {@link Network#hasRoomAgain} tells when not} */
        boolean deliver(Frame frame);

        /** {@return whether {@link #deliver} would take a frame} */
        boolean hasRoom();

        /** {@return whether the guest takes frames that stand for several TCP segments} @param ip version, 4 or 6 */
        boolean takesLargeFrames(int ip);
    }

    /**
     * {@return whether a guest may send frames that stand for several TCP segments} To a card such a network sends them
     * only when its guest takes them.
     */
    boolean takesLargeFrames();

    /** Plugs the card in; once, before anything else. */
    void plug(Card card);

    /** The guest sent a frame. A network that is behind drops it. */
    void send(Frame frame);

    /** The card, which did not take a frame, does again. */
    default void hasRoomAgain() {
    }

    @Override
    void close();
}
