package gunyah.runtime;

import gunyah.arm64.translate.Translator;
import gunyah.config.VmConfig;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** What {@link GunyahSystem} needs of the layers below: a place that launches guests. Thread safe. */
interface Machine {
    /**
     * Launches a guest. A failure of the stage is a {@link gunyah.config.BadInput} when the user's input is wrong.
     *
     * @param output takes console bytes on any thread, in order; it may keep the array, and block to throttle the guest
     */
    CompletionStage<Guest> launch(VmConfig config, Consumer<byte[]> output);

    /** {@return what the translator did so far; empty when guest code is only interpreted} */
    default Optional<Translator.Statistics> translated() {
        return Optional.empty();
    }

    /** Stops every guest and gives memory and threads back. Blocks until that is done. */
    void close();

    /** One launched guest. */
    interface Guest {
        /** Sends bytes to the console's receiver; never blocks, keeps the order of calls by one thread. */
        void type(byte[] keys);

        /** {@return how the guest ended, once it did and its resources are back} */
        CompletionStage<VmOutcome> exit();

        GuestCounters counters();

        /** {@return where each vCPU is and what it did last, for people} */
        String describe();

        /** Has the guest give back so many bytes. @throws IllegalStateException when it has no balloon */
        default void balloon(long bytes) {
            throw new IllegalStateException("the VM has no balloon");
        }

        /** {@return bytes the guest says it has given back by its balloon; 0 without one} */
        default long ballooned() {
            return 0;
        }

        /** Ends the guest from outside; {@link #exit} completes. */
        void stop();
    }
}
