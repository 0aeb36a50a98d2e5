"""What was published: releases, the states that were live, and the one that is. No clients."""
