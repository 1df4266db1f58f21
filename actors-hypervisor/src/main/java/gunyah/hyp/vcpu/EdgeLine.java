package gunyah.hyp.vcpu;

import gunyah.hyp.VirqSource;

/** An interrupt without a level: every assertion counts once. */
final class EdgeLine extends VirqSource {
    @Override
    public boolean checkPending(boolean reasserted) {
        return false;
    }

    void fire() {
        assertVirq(true);
    }

    void unbind() {
        if (boundController() != null) {
            boundController().unbind(this);
        }
    }
}
