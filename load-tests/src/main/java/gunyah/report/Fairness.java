package gunyah.report;

/** How evenly something was shared. Stateless. */
public final class Fairness {
    private Fairness() {
    }

    /**
     * Jain's index of fairness: 1 when all got the same, 1/n when one got everything (Jain, Chiu, Hawe 1984).
     *
     * @param shares what each got, of what each should have got; not negative
     * @return 1 when nobody got anything
     */
    public static double jain(double... shares) {
        double sum = 0;
        double squares = 0;
        for (double share : shares) {
            sum += share;
            squares += share * share;
        }
        return squares == 0 ? 1 : sum * sum / (shares.length * squares);
    }
}
